"""The old place of what tables, information and independence hold; its documented names warn and work until 1.1."""
