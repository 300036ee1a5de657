/** The document docs/rules.md, in the form in which a page shows it. */
import { lexer, type Token, type Tokens } from 'marked';
import { anchorOf } from './rule-parts.ts';

/** Text within a line. */
export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong'; readonly children: readonly Inline[] }
  | { readonly kind: 'em'; readonly children: readonly Inline[] }
  /** A link within the document. Links out of it are shown as text. */
  | { readonly kind: 'link'; readonly anchor: string; readonly children: readonly Inline[] };

export type Block =
  | { readonly kind: 'heading'; readonly id: string; readonly depth: number; readonly children: readonly Inline[] }
  | { readonly kind: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly kind: 'list'; readonly isOrdered: boolean; readonly items: readonly (readonly Block[])[] }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: 'code'; readonly text: string };

/**
 * The number of a rule or section at the start of its heading: `F2 Identity`, `3.1 Conversation pricing`, `1. Facts`.
 */
const NUMBERED = /^(?:([FWVM]\d+[a-z]?)|(\d+(?:\.\d+)?)\.?)\s/;

/** A heading's id for links of Markdown. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .replaceAll(/\s/g, '-');
}

function headingId(text: string): string {
  const [, rule, section] = NUMBERED.exec(text) ?? [];
  const number = rule ?? section;
  return number === undefined ? slug(text) : anchorOf(number);
}

function inlines(tokens: readonly Token[] | undefined, ids: ReadonlyMap<string, string>): Inline[] {
  return (tokens ?? []).flatMap((token): Inline[] => {
    switch (token.type) {
      case 'strong':
      case 'em':
        return [{ kind: token.type, children: inlines(token.tokens, ids) }];
      case 'codespan':
        return [{ kind: 'code', text: (token as Tokens.Codespan).text }];
      case 'link': {
        const { href, tokens: children } = token as Tokens.Link;
        const anchor = href.startsWith('#') ? ids.get(href.slice(1)) : undefined;
        const shown = inlines(children, ids);
        return anchor === undefined ? shown : [{ kind: 'link', anchor, children: shown }];
      }
      default:
        if ('tokens' in token && token.tokens !== undefined) return inlines(token.tokens, ids);
        return [{ kind: 'text', text: 'text' in token ? String(token.text) : token.raw }];
    }
  });
}

function blocks(tokens: readonly Token[], ids: ReadonlyMap<string, string>): Block[] {
  return tokens.flatMap((token): Block[] => {
    switch (token.type) {
      case 'space':
        return [];
      case 'heading': {
        const { depth, text, tokens: children } = token as Tokens.Heading;
        return [{ kind: 'heading', id: headingId(text), depth, children: inlines(children, ids) }];
      }
      case 'list': {
        const { ordered, items } = token as Tokens.List;
        return [{ kind: 'list', isOrdered: ordered, items: items.map((item) => blocks(item.tokens, ids)) }];
      }
      case 'table': {
        const { header, rows } = token as Tokens.Table;
        return [
          {
            kind: 'table',
            head: header.map((cell) => inlines(cell.tokens, ids)),
            rows: rows.map((row) => row.map((cell) => inlines(cell.tokens, ids))),
          },
        ];
      }
      case 'code':
        return [{ kind: 'code', text: (token as Tokens.Code).text }];
      default:
        return [{ kind: 'paragraph', children: inlines('tokens' in token ? token.tokens : [token], ids) }];
    }
  });
}

/**
 * @param markdown headings, paragraphs, lists, tables and code; each heading that begins with a number gets an anchor
 */
export function readDocument(markdown: string): readonly Block[] {
  const tokens = lexer(markdown);
  const headings = tokens.filter((token): token is Tokens.Heading => token.type === 'heading');
  return blocks(tokens, new Map(headings.map(({ text }) => [slug(text), headingId(text)])));
}

function textOf(parts: readonly Inline[]): string {
  return parts.map((part) => ('text' in part ? part.text : textOf(part.children))).join('');
}

export interface Section {
  readonly id: string;
  readonly title: string;
}

export function sectionsOf(document: readonly Block[]): Section[] {
  return document.flatMap((block) =>
    block.kind === 'heading' && block.depth === 2 ? [{ id: block.id, title: textOf(block.children) }] : [],
  );
}
