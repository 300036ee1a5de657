import { workbookOf } from '../workbook.ts';
import type { Encoder } from './format.ts';

/** A workbook with a sheet that has the report's name. */
export const encodeXlsx: Encoder = ({ columns, rows, report }) => workbookOf(report, columns, rows);
