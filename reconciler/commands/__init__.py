"""One file a command: parse options, wire, call, echo, map errors to exit codes."""
