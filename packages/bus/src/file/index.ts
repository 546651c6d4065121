export { type FileBus, type FileBusOptions, type FileBusStats, openFileBus } from "./file-bus.ts";
