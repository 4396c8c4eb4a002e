"""The door to the public: what it lets in, how much and how fast, in a process of its own."""
