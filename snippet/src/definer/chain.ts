// An element and its ancestors as the server reads them, to suggest a selector for each: across open shadow roots and out of
// frames of this origin. Values are those that capture may keep; contents of fields are not read.
import { isPrivate } from "../privacy";

export interface Level {
  tag: string;
  dom_id: string | null;
  classes: string[];
  attributes: Record<string, string>;
  index: number;
  count: number;
  type_index: number;
  type_count: number;
  is_shadow_child: boolean;
}

const DEPTH = 100;
const VALUE_LIMIT = 200;
const NEVER = /^(value|style|srcdoc|nonce|id|class|on.*)$/;
const KEPT = /^(name|type|role|method|for|title|alt|rel|target|placeholder|lang|dir|href|src|action|(aria|data)-.*)$/;

export const isElement = (node: Node): node is Element => node.nodeType === 1;

// What is around an element, as capture sees it.
export const parentOf = (element: Element): Element | null => {
  const parent = element.parentNode;
  if (!parent || isElement(parent)) return parent;
  if (parent.nodeType === 11) return (parent as ShadowRoot).host;
  return frameOf(parent as Document);
};

// The frame that a document of this origin stands in.
export const frameOf = ({ defaultView }: Document): Element | null => (defaultView === window ? null : (defaultView?.frameElement ?? null));

export const chainOf = (target: Element): Element[] => {
  const chain: Element[] = [];
  for (let element: Element | null = target; element && chain.length < DEPTH; element = parentOf(element)) chain.push(element);
  return chain;
};

// Whether the page keeps it to itself, across shadow roots and frames.
export const isWithheld = (element: Element): boolean => chainOf(element).some(isPrivate);

export const levelOf = (element: Element, own: Element): Level => {
  const parent = element.parentNode;
  const siblings = parent && "children" in parent ? [...(parent as ParentNode).children].filter((each) => each !== own) : [element];
  const alike = siblings.filter(({ localName, namespaceURI }) => localName === element.localName && namespaceURI === element.namespaceURI);
  const attributes: Level["attributes"] = {};
  if (!isWithheld(element)) {
    for (const { name, value } of element.attributes) {
      if (KEPT.test(name) && !NEVER.test(name) && value.length <= VALUE_LIMIT) attributes[name] = value;
    }
  }
  return {
    tag: element.localName,
    dom_id: element.getAttribute("id"),
    classes: [...element.classList],
    attributes,
    index: siblings.indexOf(element) + 1,
    count: siblings.length,
    type_index: alike.indexOf(element) + 1,
    type_count: alike.length,
    // No selector goes beyond the root of a tree.
    is_shadow_child: !!parent && !isElement(parent),
  };
};
