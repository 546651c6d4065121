export * from "./file-system.ts";
export * from "./lock-directory.ts";
export * from "./replace-file.ts";
