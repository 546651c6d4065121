import { messageOf } from "@orgloop/sdk";
import { startEventRuler } from "./event-ruler.ts";
import { startLocalStack } from "./localstack.ts";
import { startMiniStack } from "./ministack.ts";
import {
  type Emulation,
  isInstalled,
  isRequired,
  markInstalled,
  missingPrograms,
} from "./requirements.ts";

/*
 * Installs the emulators of AWS, and EventBridge's own matcher, into .tools/ and starts each once,
 * so that a run of the tests knows which it has. What this machine lacks, or no registry gives, is
 * said and its tests are left out; a failure where REQUIRE names it.
 */
const START = {
  aws: startMiniStack,
  localstack: startLocalStack,
  java: startEventRuler,
} as const;

for (const name of Object.keys(START) as Emulation[]) {
  if (isInstalled(name) || missingPrograms(name).length > 0) continue;
  process.stderr.write(`installing what the ${name} tests need into .tools/ ...\n`);
  try {
    const { stop } = await START[name]();
    await stop();
    markInstalled(name);
  } catch (error) {
    const why =
      error instanceof Error && error.cause !== undefined ? `\n${messageOf(error.cause)}` : "";
    process.stderr.write(`the ${name} tests are left out: ${messageOf(error)}${why}\n`);
    if (isRequired(name)) process.exitCode = 1;
  }
}
