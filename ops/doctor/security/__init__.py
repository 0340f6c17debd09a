"""Looks at an installation with an attacker's eyes: passwords, keys, open doors, TLS, AWS."""
