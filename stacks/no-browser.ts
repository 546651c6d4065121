/** Stands for `bowser` in functions: the SDK asks it for the browser's name. */
export default {};
