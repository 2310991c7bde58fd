"""What `./build_engines.sh` is made of: the steps from a published model to what an engine loads."""
