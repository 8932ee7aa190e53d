"""A gRPC server that gives back the bytes that it is given, and a client that measures calls to it.

It is asked by lines ``BYTES CALLS``, and answers with the median of what the calls took, in microseconds, as JSON. The
server is a process of its own.
"""

import json
import statistics
import subprocess
import sys
import time
from concurrent import futures

import grpc

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def serve():
    def echo(request, context):
        return request

    handler = grpc.method_handlers_generic_handler("echo.Echo", {"Echo": grpc.unary_unary_rpc_method_handler(echo)})
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=OPTIONS)
    server.add_generic_rpc_handlers((handler,))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()


def measure():
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = int(server.stdout.readline())
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
        echo = channel.unary_unary("/echo.Echo/Echo")
        for line in sys.stdin:
            size, calls = map(int, line.split())
            request, times = b"x" * size, []
            for _ in range(calls):
                begun = time.perf_counter()
                echo(request, wait_for_ready=True)
                times.append(time.perf_counter() - begun)
            print(json.dumps(statistics.median(times) * 1e6), flush=True)
    server.kill()


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else measure()
