export * from "./checked-line.ts";
export * from "./file-bytes.ts";
export * from "./file-system.ts";
export * from "./group-commit.ts";
export * from "./lines-file.ts";
export * from "./lock-directory.ts";
export { type Place, readFileLines, readLines } from "./read-lines.ts";
export * from "./read-whole.ts";
export * from "./replace-file.ts";
