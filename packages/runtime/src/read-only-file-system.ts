import { type FileSystem, nodeFileSystem, type OpenFile } from "@orgloop/stores";

const nothing = async (): Promise<void> => {};

/** A file that takes everything and keeps nothing. */
const sink: OpenFile = {
  write: async (bytes) => bytes.length,
  read: async () => 0,
  size: async () => 0,
  truncate: nothing,
  sync: nothing,
  close: nothing,
};

/** The real files to read; whatever would change them is swallowed. For looking into a log without taking it over. */
export const readOnlyFileSystem: FileSystem = {
  async open(path, mode) {
    if (mode === "create" || mode === "replace") return sink;
    const file = await nodeFileSystem.open(path, "read");
    return { ...sink, read: file.read, size: file.size, close: file.close };
  },
  list: nodeFileSystem.list,
  makeDirectory: nothing,
  rename: nothing,
  remove: nothing,
  syncDirectory: nothing,
};
