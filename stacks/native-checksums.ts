/** Stands for the SDK's checksums in JavaScript in functions: it has them for a Node without `node:crypto` and `zlib.crc32`. */
export const Sha256Js = undefined;
export const Md5Js = undefined;
export const Crc32Js = undefined;
