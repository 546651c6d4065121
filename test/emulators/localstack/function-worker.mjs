// Runs the handler of a Lambda function. Reads an invocation a line on stdin; writes {ready}, {log}, {result} and {error}
// lines to the file descriptor that is its argument.
import { existsSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const answers = Number(process.argv[2]);

function answer(message) {
  let bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(answers, bytes));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk, encoding, callback) => {
    answer({ log: chunk.toString() });
    (typeof encoding === "function" ? encoding : callback)?.();
    return true;
  };
}

const described = (error) => ({
  errorType: error?.name ?? typeof error,
  errorMessage: error?.message ?? String(error),
  trace: error?.stack?.split("\n") ?? [],
});

async function load() {
  const { LAMBDA_TASK_ROOT: root, _HANDLER: name } = process.env;
  const dot = name.lastIndexOf(".");
  const file = [".mjs", ".js", ".cjs"]
    .map((extension) => path.join(root, name.slice(0, dot) + extension))
    .find(existsSync);
  if (file === undefined) throw new Error(`no module of the handler ${name}`);
  const module = file.endsWith(".mjs")
    ? await import(pathToFileURL(file))
    : createRequire(file)(file);
  return module[name.slice(dot + 1)];
}

try {
  const handler = await load();
  answer({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const invocation = JSON.parse(line);
    const { AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_MEMORY_SIZE } = process.env;
    const context = {
      awsRequestId: invocation["invoke-id"],
      invokedFunctionArn: invocation["invoked-function-arn"],
      functionName: AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
      memoryLimitInMB: AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      getRemainingTimeInMillis: () => Math.max(0, invocation.deadline - Date.now()),
    };
    try {
      const result = await handler(JSON.parse(invocation.payload || "{}"), context);
      answer({ result: result ?? null });
    } catch (error) {
      console.error(error);
      answer({ error: described(error) });
    }
  }
} catch (error) {
  answer({ error: described(error) });
}
process.exit();
