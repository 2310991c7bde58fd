"""How a server on gRPC is asked: over a connection of the asker's own, and past the environment's proxy.

Where HTTPS_PROXY is set and NO_PROXY is not, gRPC asks that proxy even for 127.0.0.1: no engine was ready.
"""

OWN = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
