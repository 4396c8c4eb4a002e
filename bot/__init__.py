"""Where people meet the service: LINE, web pages, console, command line. Knows all rooms."""
