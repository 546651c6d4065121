"""Runs Lambda functions as Node processes of this machine: one a warm execution environment."""

import json
import os
import select
import subprocess
import time
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

WORKER = str(Path(__file__).with_name("function-worker.mjs"))
LOOPBACK = "127.0.0.1"


class Ended(Exception):
    """The process ended without an answer."""


class NodeFunctions(RuntimeExecutor):
    node = None
    logs = ""

    def start(self, env_vars):
        self.code().prepare_for_execution()
        root = str(self.code().get_unzipped_code_location())
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR")}
        variables = {name: str(value) for name, value in env_vars.items()}
        self.env = inherited | variables | {"TZ": "UTC", "LAMBDA_TASK_ROOT": root}
        self.spawn()

    def code(self):
        return self.function_version.config.code

    def spawn(self):
        self.answers, theirs = os.pipe()
        memory = self.function_version.config.memory_size or 128
        self.node = subprocess.Popen(
            ["node", f"--max-old-space-size={memory}", WORKER, str(theirs)],
            cwd=self.env["LAMBDA_TASK_ROOT"],
            env=self.env,
            pass_fds=[theirs],
            stdin=subprocess.PIPE,
        )
        os.close(theirs)
        self.unread = b""
        try:
            loaded = self.answer(time.monotonic() + config.LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT)
        except Ended:
            loaded = {"error": {"errorType": "Runtime.ExitError", "errorMessage": "the process ended"}}
        if loaded is None or "error" in loaded:
            self.stop()
            error = json.dumps((loaded or {}).get("error")).encode()
            raise StatusErrorException("the function did not load", payload=error)

    def stop(self):
        if self.node is None:
            return
        self.node.kill()
        self.node.wait()
        self.node.stdin.close()
        os.close(self.answers)
        self.node = None

    def answer(self, deadline):
        """The next line that is no log, parsed; None at the deadline."""
        while True:
            while b"\n" not in self.unread:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                    return None
                piece = os.read(self.answers, 1 << 20)
                if piece == b"":
                    raise Ended
                self.unread += piece
            line, self.unread = self.unread.split(b"\n", 1)
            message = json.loads(line)
            if "log" not in message:
                return message
            self.logs += message["log"]

    def invoke(self, payload):
        request = payload["invoke-id"]
        timeout = int(self.function_version.config.timeout)
        began = time.monotonic()
        self.logs = f"START RequestId: {request} Version: {self.function_version.id.qualifier}\n"
        try:
            if self.node is None:  # it was killed in the invocation before
                self.spawn()
            line = json.dumps({**payload, "deadline": int((time.time() + timeout) * 1000)}) + "\n"
            self.node.stdin.write(line.encode())
            self.node.stdin.flush()
            answer = self.answer(began + timeout)
            if answer is None:
                raise TimeoutError
            error = answer.get("error")
        except TimeoutError:
            self.stop()
            text = f"RequestId: {request} Error: Task timed out after {timeout}.00 seconds"
            error = {"errorType": "Sandbox.Timedout", "errorMessage": text}
        except (Ended, BrokenPipeError):
            self.stop()
            text = f"RequestId: {request} Error: Runtime exited without providing a reason"
            error = {"errorType": "Runtime.ExitError", "errorMessage": text}
        took = (time.monotonic() - began) * 1000
        self.logs += f"END RequestId: {request}\nREPORT RequestId: {request}\tDuration: {took:.2f} ms\n"
        body = json.dumps(answer.get("result") if error is None else error).encode()
        return InvocationResult(request, body, is_error=error is not None, logs=self.logs)

    def get_logs(self):
        return self.logs

    def get_address(self):
        return LOOPBACK

    def get_endpoint_from_executor(self):
        return LOOPBACK

    def get_runtime_endpoint(self):
        return f"http://{LOOPBACK}"

    @classmethod
    def prepare_version(cls, function_version):
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass  # its code is shared with other versions
