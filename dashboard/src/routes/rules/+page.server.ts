import { readDocument, sectionsOf } from '$lib/rules/document.ts';
import rules from '../../../../docs/rules.md?raw';
import type { PageServerLoad } from './$types';

const BLOCKS = readDocument(rules);

const SECTIONS = sectionsOf(BLOCKS);

export const load: PageServerLoad = () => ({ blocks: BLOCKS, sections: SECTIONS });
