// Whoever selects text with the pointer ends with a click, and wants no reaction.
export const isSelected = (target: Node): boolean => {
  const selection = getSelection();
  return selection?.type === "Range" && selection.containsNode(target, true);
};
