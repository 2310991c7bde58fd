"""Our own puppet: a VTube Studio API server that draws in a browser page."""
