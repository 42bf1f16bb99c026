// Elements of the frame, made one by one: no markup is parsed, so no policy on markup is in the way, and no text becomes any.
export const maker =
  (document: Document) =>
  <Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag,
    given: Partial<Omit<HTMLElementTagNameMap[Tag], "style">> & Record<string, unknown> = {},
    ...inside: (Node | string)[]
  ): HTMLElementTagNameMap[Tag] => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name in element) (element as Record<string, unknown>)[name] = value;
      else element.setAttribute(name, String(value));
    }
    element.append(...inside);
    return element;
  };
export type Make = ReturnType<typeof maker>;
