import { OrgLoopError } from "@orgloop/sdk";

/** Text by key, as in a bucket. */
export interface MemoryObjects {
  put(key: string, text: string): Promise<void>;
  /** Throws `OBJECT_MISSING` where nothing has the key. */
  get(key: string): Promise<string>;
  readonly stored: Map<string, string>;
}

export function memoryObjects(): MemoryObjects {
  const stored = new Map<string, string>();
  return {
    stored,
    put: async (key, text) => void stored.set(key, text),
    async get(key) {
      const text = stored.get(key);
      if (text === undefined) throw new OrgLoopError("OBJECT_MISSING", `no object ${key}`);
      return text;
    },
  };
}
