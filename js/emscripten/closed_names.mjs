// SPDX-License-Identifier: MIT
import ts from 'typescript';

// The advanced mode of Closure renames every property it sees as a name and knows from no extern. These make JavaScript
// that it cannot break, and that no preprocessor of Emscripten's takes for a directive.

/** Applies replacements [start, end, text] that do not overlap. */
function edited(text, edits) {
  let result = '';
  let at = 0;
  for (const [start, end, replacement] of edits.sort((a, b) => a[0] - b[0])) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}

function collect(text, fileName, visitNode) {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const edits = [];
  const visit = (node) => {
    visitNode(node, (start, end, replacement) => edits.push([start, end, replacement]), source);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return edited(text, edits);
}

/** `#name` as `private_name`: a line that begins with # would be a directive, and older optimisers do not know it. */
export const withoutPrivateNames = (text, fileName) => collect(text, fileName, (node, edit, source) => {
  if (ts.isPrivateIdentifier(node)) edit(node.getStart(source), node.end, `private_${node.text.slice(1)}`);
});

/** Every property by a quoted name: in accesses, literals, classes and patterns. */
export const withQuotedNames = (text, fileName) => collect(text, fileName, (node, edit, source) => {
  const start = (part) => part.getStart(source);
  if (ts.isPropertyAccessExpression(node)) {
    const dot = node.questionDotToken ? '?.' : '';
    edit(node.expression.end, node.end, `${dot}["${node.name.text}"]`);
  } else if (ts.isShorthandPropertyAssignment(node)) {
    edit(start(node), start(node), `"${node.name.text}": `);
  } else if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name)) {
    edit(start(node.name), node.name.end, `"${node.name.text}"`);
  } else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent) && !node.dotDotDotToken) {
    // Computed: Emscripten's own optimiser takes the quotes of a pattern away.
    if (node.propertyName === undefined) edit(start(node), start(node), `["${node.name.text}"]: `);
    else if (ts.isIdentifier(node.propertyName)) {
      edit(start(node.propertyName), node.propertyName.end, `["${node.propertyName.text}"]`);
    }
  } else if ((ts.isMethodDeclaration(node) || ts.isAccessor(node) || ts.isPropertyDeclaration(node))
    && ts.isIdentifier(node.name)) {
    edit(start(node.name), node.name.end, `["${node.name.text}"]`);
  }
});
