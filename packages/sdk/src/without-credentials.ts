/**
 * A URL as it may be shown: without the user and password that it may name. Also of what is no URL,
 * such as `file`.
 */
export const withoutCredentials = (url: string): string => url.replace(/\/\/[^/]*@/, "//");
