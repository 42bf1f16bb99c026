// What is read of the page, read with the prototypes' own getters: a form answers for its fields before it answers for
// itself (`form.parentNode` is the field of that name), and so would give a wrong parent or none.

type Read<Owner, Value> = (owner: Owner) => Value;

const getter = <Owner, Value>(prototype: Owner, name: keyof Owner): Read<Owner, Value> => {
  const get = Object.getOwnPropertyDescriptor(prototype, name)!.get as () => Value;
  return (owner) => get.call(owner);
};

const { prototype: node } = Node;
const { prototype: element } = Element;

export const nodeType = getter<Node, number>(node, "nodeType");
export const parentNode = getter<Node, Node | null>(node, "parentNode");
export const firstChild = getter<Node, Node | null>(node, "firstChild");
export const nextSibling = getter<Node, Node | null>(node, "nextSibling");
export const localName = getter<Element, string>(element, "localName");
export const namespaceOf = getter<Element, string | null>(element, "namespaceURI");
export const previousElement = getter<Element, Element | null>(element, "previousElementSibling");
export const nextElement = getter<Element, Element | null>(element, "nextElementSibling");

export const attributeNames = (owner: Element): string[] => element.getAttributeNames.call(owner);
export const attribute = (owner: Element, name: string): string | null => element.getAttribute.call(owner, name);
export const hasAttribute = (owner: Element, name: string): boolean => element.hasAttribute.call(owner, name);
export const matches = (owner: Element, selector: string): boolean => element.matches.call(owner, selector);

export const isElement = (owner: Node): owner is Element => nodeType(owner) === 1;
export const isText = (owner: Node): owner is Text => nodeType(owner) === 3;

// Cross shadow roots: a click inside a web component belongs to the page as well. Slots are no ancestors.
export const parentOf = (owner: Node): Element | null => {
  const parent = parentNode(owner);
  if (parent instanceof ShadowRoot) return parent.host;
  return parent && isElement(parent) ? parent : null;
};
