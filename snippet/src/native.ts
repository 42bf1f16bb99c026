// What is read of the page is read with the browser's own functions, taken at the start and called on the element: a form
// answers for its fields before it answers for itself (`form.parentNode` is the field of that name), and pages patch.
const { call } = Function.prototype;
const { prototype } = Element;

const own = (name: string): any => call.bind((prototype as any)[name]);
const getter = (name: string): any => call.bind((prototype as any).__lookupGetter__(name));

export const nodeType: (node: Node) => number = getter("nodeType");
export const parentNode: (node: Node) => Node | null = getter("parentNode");
export const localName: (element: Element) => string = getter("localName");
export const namespaceOf: (element: Element) => string | null = getter("namespaceURI");
export const ownerOf: (element: Element) => Document = getter("ownerDocument"); // a frame has its own
export const childrenOf: (parent: Element) => HTMLCollection = getter("children");

export const attributeNames: (element: Element) => string[] = own("getAttributeNames");
export const attribute: (element: Element, name: string) => string | null = own("getAttribute");
export const hasAttribute: (element: Element, name: string) => boolean = own("hasAttribute");
export const matches: (element: Element, selector: string) => boolean = own("matches");

export const isElement = (node: Node): node is Element => nodeType(node) === 1;

// Frames by their documents; the second file knows them.
export const hosts = new WeakMap<Node, Element>();

// Cross shadow roots: a click inside a web component belongs to the page as well. Slots are no ancestors.
export const parentOf = (node: Node): Element | null => {
  const parent = parentNode(node);
  return (parent && (isElement(parent) ? parent : nodeType(parent) === 11 ? (parent as ShadowRoot).host : hosts.get(parent))) || null;
};
