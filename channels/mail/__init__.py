"""Mail: rendered once, handed to a relay over pipelined SMTP."""
