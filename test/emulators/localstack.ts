import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Emulator, freePort, startEmulator } from "./emulator.ts";
import { filledOnce } from "./filled-once.ts";
import { pythonPackages } from "./python-packages.ts";

const run = promisify(execFile);
const GLUE = path.join(import.meta.dirname, "localstack");

/**
 * Starts LocalStack (pinned in `localstack/requirements.txt`) on a free port, without Docker:
 * `localstack/orgloop_localstack.py` says how. What it needs is installed into `.tools/` the first
 * time: from PyPI, for an installed Python of 3.12 or later, and DynamoDB Local from Maven Central,
 * for an installed JDK of 17 or later. Rejects with the reason where that cannot be.
 */
export async function startLocalStack(): Promise<Emulator> {
  const [{ python, packages }, jars] = await Promise.all([localStackPackages(), dynamoDbLocal()]);
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  return startEmulator({
    name: "localstack",
    account: "222222222222",
    python,
    module: "orgloop_localstack",
    port,
    healthPath: "/_localstack/health",
    patienceMs: 120_000,
    env: {
      PYTHONPATH: [packages, GLUE].join(path.delimiter),
      ORGLOOP_DYNAMODB: jars,
      GATEWAY_LISTEN: listen,
      LOCALSTACK_HOST: listen,
      SQS_ENDPOINT_STRATEGY: "path",
      DNS_ADDRESS: "0",
      DISABLE_EVENTS: "1",
      SKIP_SSL_CERT_DOWNLOAD: "1",
    },
  });
}

async function localStackPackages(): Promise<{ python: string; packages: string }> {
  const uvPackage = await pythonPackages("uv", path.join(GLUE, "requirements-uv.txt"));
  const uv = path.join(uvPackage, "bin/uv");
  // pyenv's shims come first on the PATH and fail for every version but the chosen one: the
  // versions themselves go before them.
  const onPath = (process.env.PATH ?? "").split(path.delimiter);
  const shims = onPath.filter((folder) => path.basename(folder) === "shims");
  const roots = new Set([
    path.join(homedir(), ".pyenv"),
    ...shims.map((folder) => path.dirname(folder)),
  ]);
  const versions = [...roots].flatMap((root) => globSync(path.join(root, "versions/*/bin")));
  const folders = [...versions, ...onPath];
  const env = { ...process.env, PATH: folders.join(path.delimiter) };
  const options = ["--no-python-downloads", "--no-project", "--no-config"];
  const requirementsFile = path.join(GLUE, "requirements.txt");
  try {
    const { stdout } = await run(uv, ["python", "find", ...options, ">=3.12"], { env });
    const python = stdout.trim();
    const recipe = `${python}\n${await readFile(requirementsFile, "utf8")}`;
    const packages = await filledOnce("localstack", recipe, async (directory) => {
      const exactly = ["--no-deps", "--python", python, "-r", requirementsFile];
      const args = ["pip", "install", "--quiet", "--no-python-downloads", "--no-config"];
      await run(uv, [...args, ...exactly, "--target", directory], { env });
    });
    return { python, packages };
  } catch (error) {
    throw new Error(
      "LocalStack cannot be installed: it needs Python 3.12 or later, and PyPI within reach",
      { cause: error },
    );
  }
}

/** The folder of DynamoDB Local's jars. */
async function dynamoDbLocal(): Promise<string> {
  const pom = path.join(GLUE, "pom.xml");
  return filledOnce("dynamodb-local", await readFile(pom, "utf8"), async (directory) => {
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    try {
      await run("mvn", ["-q", "-B", "-f", pom, goal, `-DoutputDirectory=${directory}`]);
    } catch (error) {
      throw new Error(
        "DynamoDB Local cannot be installed: it needs Maven, and Maven Central within reach",
        { cause: error },
      );
    }
  });
}
