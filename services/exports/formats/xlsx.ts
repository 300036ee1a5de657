import { workbookOf } from '../workbook.ts';
import type { Encoder } from './format.ts';

/** A workbook whose sheet is called after the report. */
export const encodeXlsx: Encoder = ({ columns, rows, report }) => workbookOf(report, columns, rows);
