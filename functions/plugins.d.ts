/**
 * Written by the bundler: the plugins that this function's bundle holds, by the names of their
 * packages.
 */
declare module "orgloop:plugins" {
  export const plugins: import("@orgloop/aws").BundledPlugins;
}
