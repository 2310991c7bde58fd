"""The slim layer between the servers: it loads no neural model and starts no process."""
