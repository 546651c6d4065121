import { fileURLToPath } from "node:url";

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Place {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface CoveredScript {
  readonly scriptId: string;
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
  }[];
}

/** A file of which functions ran; each from its first to its last character. */
interface RunFile {
  readonly file: string;
  readonly scriptId: string;
  readonly functions: readonly { name: string; from: number; to: number }[];
}

/** What functions run in another Node, by its inspector (the Chrome DevTools Protocol) at `url`. */
export async function traceCalls(url: string) {
  const socket = new WebSocket(url);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as Answer;
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(result);
    else one?.reject(new Error(error.message));
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });

  function post<Result>(method: string, params: object = {}): Promise<Result> {
    asked += 1;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(asked, answer);
    socket.send(JSON.stringify({ id: asked, method, params }));
    return answer.promise as Promise<Result>;
  }

  async function take(): Promise<RunFile[]> {
    const { result } = await post<{ result: CoveredScript[] }>("Profiler.takePreciseCoverage");
    return result.flatMap(({ url: script, scriptId, functions }) => {
      if (!script.startsWith("file:") || script.includes("/node_modules/")) return [];
      const called = functions.flatMap(({ functionName, ranges: [range] }) =>
        // What begins with the file is the module itself.
        range !== undefined && range.count > 0 && range.startOffset > 0
          ? [{ name: functionName || "=>", from: range.startOffset, to: range.endOffset }]
          : [],
      );
      return called.length === 0
        ? []
        : [{ file: fileURLToPath(script), scriptId, functions: called }];
    });
  }

  /** By breakpoints whose condition notes the call and never holds. */
  async function watch({ file, scriptId, functions }: RunFile): Promise<void> {
    const { scriptSource } = await post<{ scriptSource: string }>("Debugger.getScriptSource", {
      scriptId,
    });
    for (const { name, from, to } of functions) {
      const [start, end] = [from, to].map((offset) => placeOf(scriptId, scriptSource, offset));
      const { locations } = await post<{ locations: Place[] }>("Debugger.getPossibleBreakpoints", {
        start,
        end,
        restrictToFunction: true,
      });
      const [key, said] = [JSON.stringify(file), JSON.stringify(name)];
      const condition = `(walked.has(${key}) || walked.set(${key}, ${said}), false)`;
      // Two functions may begin at one place: the first has it.
      await post("Debugger.setBreakpoint", { location: locations[0], condition }).catch(() => {});
    }
  }

  await post("Profiler.enable");
  await post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  await post("Debugger.enable");
  return {
    /** The files in which a function ran since the last time. */
    take,
    /** From now on the first call of each file is noted. */
    async watch(files: readonly RunFile[]): Promise<void> {
      await post("Runtime.evaluate", { expression: "globalThis.walked = new Map()" });
      for (const file of files) await watch(file);
      await post("Runtime.evaluate", { expression: "walked.clear()" });
    },
    /**
     * Files that were called since then, each with the name of its function that was called first,
     * in the order of those calls.
     */
    async order(): Promise<[file: string, name: string][]> {
      const { result } = await post<{ result: { value: [string, string][] } }>("Runtime.evaluate", {
        expression: "[...walked]",
        returnByValue: true,
      });
      return result.value;
    },
    close: () => socket.close(),
  };
}

function placeOf(scriptId: string, source: string, offset: number): Place {
  const lines = source.slice(0, offset).split("\n");
  return { scriptId, lineNumber: lines.length - 1, columnNumber: lines.at(-1)?.length ?? 0 };
}
