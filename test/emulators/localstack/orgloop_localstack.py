"""LocalStack on this machine without Docker: the main module, and what it does otherwise there.

Functions run on Node (node_functions.py), schedules fire (schedules.py), DynamoDB Local comes from Maven Central, and nothing
listens on any interface but the loopback. ORGLOOP_DYNAMODB is the folder of DynamoDB Local's jars.
"""

import functools
import os
import threading
from pathlib import Path
from types import SimpleNamespace

from twisted.internet import endpoints

import node_functions
import schedules
from localstack.runtime import main
from localstack.services.dynamodb import server as dynamodb
from localstack.services.lambda_.invocation.plugins import DockerRuntimeExecutorPlugin
from localstack.services.s3 import provider as s3

# GATEWAY_LISTEN's host is ignored for IPv4.
endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")

DockerRuntimeExecutorPlugin.load = lambda *_: node_functions.NodeFunctions

JARS = os.environ["ORGLOOP_DYNAMODB"]
TEMPORARY = os.environ["TMPDIR"]
# Elsewhere it would outlast this process, and two of them would share it.
s3.DEFAULT_S3_TMP_DIR = f"{TEMPORARY}/s3"
dynamodb.dynamodblocal_package = SimpleNamespace(
    get_installer=lambda: SimpleNamespace(install=lambda: None, get_java_env_vars=dict)
)
dynamodb.DynamodbServer._create_shell_command = lambda server: [
    "java",
    f"-Xmx{server.heap_size}",
    f"-Djava.io.tmpdir={TEMPORARY}",
    "-XX:-UsePerfData",
    f"-Djava.library.path={JARS}",
    f"-Dorgloop.parent={os.getpid()}",
    "-cp",
    f"{JARS}/*",
    str(Path(__file__).with_name("LoopbackDynamoDB.java")),
    "-port",
    str(server.port),
    "-inMemory",
    "-disableTelemetry",
]

threading.Thread(target=schedules.fire_when_due, daemon=True).start()
main.main()
