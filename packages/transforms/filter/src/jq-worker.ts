import { parentPort } from "node:worker_threads";
import { loadJq } from "jq-wasm";

export interface JqRequest {
  /** JSON. */
  readonly input: string;
  readonly expression: string;
}

/** As jq's process would have ended. */
export interface JqReply {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const jq = await loadJq();

// The space keeps an expression that begins with a minus from being read as an option.
parentPort?.on("message", ({ input, expression }: JqRequest) => {
  const reply: JqReply = jq.raw(input, ` ${expression}`, ["-e", "-c"]);
  parentPort?.postMessage(reply);
});
