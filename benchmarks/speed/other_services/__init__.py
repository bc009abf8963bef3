"""The same service with other frameworks, as small as they allow."""
