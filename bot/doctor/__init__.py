"""`kairanban doctor`: what would keep the service from its work, each with a remedy."""
