/** True where `text` has a `${…}`: what it stands for is known only at the moment of use. */
export const holdsReference = (text: string): boolean => text.includes("${");
