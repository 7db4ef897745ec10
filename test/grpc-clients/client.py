"""The same as js-client.ts, on gRPC's C-core: see there for the orders."""

import json
import os
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc

ECHO_SERVICE, ECHO_METHOD = "fairway.test.Echo", "Say"
ECHO_PATH = f"/{ECHO_SERVICE}/{ECHO_METHOD}"

# Between calls that go on for a while, in seconds.
PAUSE = 0.005

channels = {}
running = {}
servers = []
output = threading.Lock()


def say(message):
    with output:
        print(json.dumps(message), flush=True)


def channel_for(target):
    if target not in channels:
        channels[target] = grpc.insecure_channel(target)
    return channels[target]


def call_while(order, more, pause=0):
    answers, errors = {}, []
    method = channel_for(order["target"]).unary_unary(ECHO_PATH)
    headers = tuple(order.get("headers", {}).items())
    done = 0
    while more(done):
        start = time.monotonic()
        try:
            answer = method(uuid.uuid4().bytes, timeout=order["deadlineMs"] / 1000, metadata=headers).decode()
            answers[answer] = answers.get(answer, 0) + 1
        except grpc.RpcError as error:
            after_ms = (time.monotonic() - start) * 1000
            errors.append({"code": error.code().value[0], "details": error.details(), "afterMs": after_ms})
        done += 1
        if pause > 0:
            time.sleep(pause)
    return {"answers": answers, "errors": errors}


def begin(order):
    run = {"going": True}
    running[order["target"]] = run

    def work():
        run["report"] = call_while(order, lambda _: run["going"], PAUSE)

    run["thread"] = threading.Thread(target=work, daemon=True)
    run["thread"].start()
    return {}


def end(order):
    run = running[order["target"]]
    run["going"] = False
    run["thread"].join()
    return run["report"]


def serve(order):
    name = order["name"].encode()
    server = grpc.server(ThreadPoolExecutor(max_workers=2), xds=True)
    echo = grpc.unary_unary_rpc_method_handler(lambda request, context: name)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ECHO_SERVICE, {ECHO_METHOD: echo}),))
    plain = grpc.xds_server_credentials(grpc.insecure_server_credentials())
    server.add_secure_port(order["address"], plain)
    server.start()
    servers.append(server)
    return {}


ORDERS = {
    "call": lambda order: call_while(order, lambda done: done < order["count"]),
    "begin": begin,
    "end": end,
    "serve": serve,
}


def run(order):
    try:
        say({"id": order["id"], **ORDERS[order["do"]](order)})
    except Exception as error:  # pylint: disable=broad-except
        say({"id": order["id"], "failed": repr(error)})


say({"id": 0})
for line in sys.stdin:
    threading.Thread(target=run, args=(json.loads(line),), daemon=True).start()
# Without waiting for what is under way.
os._exit(0)
