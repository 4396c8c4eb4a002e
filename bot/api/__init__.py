"""What machines call: notices over HTTP, by the same checks and limits as the console and the command line."""
