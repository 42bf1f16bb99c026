// What stands for the tag in the npm package: the build puts it where tag.ts looks for `document.currentScript`.
export const currentTag: { src: string; text: string; dataset: Record<string, string | undefined> } = { src: "", text: "", dataset: {} };
