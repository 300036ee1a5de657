import { META_COUNTS, SPEND_COLUMNS, type MetaCount, type SpendColumn } from '@ctwa-ledger/schemas/spend.ts';
import { plain } from '../imports/rows.ts';

/**
 * Ads Manager's names of its columns by the user's language, and the API's names. English and the API come first,
 * because their names are known in every file.
 */
const HEADINGS: Readonly<Record<string, Readonly<Record<Exclude<SpendColumn, MetaCount>, readonly string[]>>>> = {
  English: {
    ad_id: ['Ad ID'],
    ad_name: ['Ad name'],
    adset_name: ['Ad set name'],
    campaign_name: ['Campaign name'],
    day: ['Day', 'Date'],
    first_day: ['Reporting starts'],
    last_day: ['Reporting ends'],
    amount: ['Amount spent'],
    currency: ['Currency'],
  },
  API: {
    ad_id: ['ad_id'],
    ad_name: ['ad_name'],
    adset_name: ['adset_name'],
    campaign_name: ['campaign_name'],
    day: [],
    first_day: ['date_start'],
    last_day: ['date_stop'],
    amount: ['spend'],
    currency: ['account_currency'],
  },
  Portuguese: {
    ad_id: ['Identificação do anúncio', 'ID do anúncio'],
    ad_name: ['Nome do anúncio'],
    adset_name: ['Nome do conjunto de anúncios'],
    campaign_name: ['Nome da campanha'],
    day: ['Dia', 'Data'],
    first_day: ['Início dos relatórios', 'Início do relatório'],
    last_day: ['Encerramento dos relatórios', 'Término dos relatórios', 'Fim dos relatórios', 'Fim do relatório'],
    amount: ['Valor gasto', 'Valor usado', 'Montante gasto', 'Quantia gasta'],
    currency: ['Moeda'],
  },
  Spanish: {
    ad_id: ['Identificador del anuncio', 'ID del anuncio'],
    ad_name: ['Nombre del anuncio'],
    adset_name: ['Nombre del conjunto de anuncios'],
    campaign_name: ['Nombre de la campaña'],
    day: ['Día', 'Fecha'],
    first_day: ['Inicio del informe', 'Inicio de los informes', 'Inicio del reporte'],
    last_day: ['Fin del informe', 'Fin de los informes', 'Fin del reporte'],
    amount: ['Importe gastado', 'Monto gastado', 'Cantidad gastada'],
    currency: ['Divisa', 'Moneda'],
  },
  German: {
    ad_id: ['Anzeigen-ID', 'ID der Anzeige', 'Werbeanzeigen-ID'],
    ad_name: ['Name der Anzeige', 'Anzeigenname', 'Name der Werbeanzeige'],
    adset_name: ['Name der Anzeigengruppe', 'Anzeigengruppenname', 'Name des Anzeigensets'],
    campaign_name: ['Name der Kampagne', 'Kampagnenname'],
    day: ['Tag', 'Datum'],
    first_day: ['Berichtsstart', 'Auswertungsbeginn', 'Berichtsbeginn'],
    last_day: ['Berichtsende', 'Auswertungsende'],
    amount: ['Ausgegebener Betrag'],
    currency: ['Währung'],
  },
  French: {
    ad_id: ['ID de publicité', 'ID de la publicité', 'Identifiant de la publicité', 'Identifiant de publicité'],
    ad_name: ['Nom de la publicité'],
    adset_name: ['Nom de l’ensemble de publicités'],
    campaign_name: ['Nom de la campagne'],
    day: ['Jour'],
    first_day: ['Début des rapports', 'Début du rapport'],
    last_day: ['Fin des rapports', 'Fin du rapport'],
    amount: ['Montant dépensé'],
    currency: ['Devise'],
  },
  Italian: {
    ad_id: ['ID inserzione', 'ID dell’inserzione', 'Identificativo dell’inserzione'],
    ad_name: ['Nome dell’inserzione', 'Nome inserzione'],
    adset_name: ['Nome del gruppo di inserzioni', 'Nome gruppo di inserzioni'],
    campaign_name: ['Nome della campagna', 'Nome campagna'],
    day: ['Giorno'],
    first_day: ['Inizio dei report', 'Inizio report', 'Inizio del report'],
    last_day: ['Fine dei report', 'Fine report', 'Fine del report'],
    amount: ['Importo speso'],
    currency: ['Valuta'],
  },
  Indonesian: {
    ad_id: ['ID iklan', 'Pengenal iklan'],
    ad_name: ['Nama iklan'],
    adset_name: ['Nama set iklan'],
    campaign_name: ['Nama kampanye'],
    day: ['Hari', 'Tanggal'],
    first_day: ['Awal pelaporan', 'Pelaporan dimulai'],
    last_day: ['Akhir pelaporan', 'Pelaporan berakhir'],
    amount: ['Jumlah yang dibelanjakan', 'Jumlah dibelanjakan'],
    currency: ['Mata uang'],
  },
  Japanese: {
    ad_id: ['広告ID', '広告の識別子'],
    ad_name: ['広告名', '広告の名前'],
    adset_name: ['広告セット名', '広告セットの名前'],
    campaign_name: ['キャンペーン名', 'キャンペーンの名前'],
    day: ['日', '日付', '日別'],
    first_day: ['レポート開始日', 'レポート開始'],
    last_day: ['レポート終了日', 'レポート終了'],
    amount: ['消化金額'],
    currency: ['通貨'],
  },
  Korean: {
    ad_id: ['광고 ID', '광고 식별자'],
    ad_name: ['광고 이름'],
    adset_name: ['광고 세트 이름'],
    campaign_name: ['캠페인 이름'],
    day: ['일', '일자', '날짜', '일별'],
    first_day: ['보고 시작', '보고서 시작'],
    last_day: ['보고 종료', '보고서 종료'],
    amount: ['지출 금액', '지출금액'],
    currency: ['통화'],
  },
  'Simplified Chinese': {
    ad_id: ['广告编号', '广告 ID'],
    ad_name: ['广告名称'],
    adset_name: ['广告组名称'],
    campaign_name: ['广告系列名称'],
    day: ['日期', '天', '日', '单日'],
    first_day: ['报告开始日期', '报告开始'],
    last_day: ['报告结束日期', '报告结束'],
    amount: ['已花费金额', '花费金额'],
    currency: ['货币', '币种'],
  },
  'Traditional Chinese': {
    ad_id: ['廣告編號', '廣告 ID'],
    ad_name: ['廣告名稱'],
    adset_name: ['廣告組合名稱'],
    campaign_name: ['行銷活動名稱', '廣告活動名稱'],
    day: ['日期', '天數', '日', '單日'],
    first_day: ['分析報告開始', '報告開始', '報告開始日期'],
    last_day: ['分析報告結束', '報告結束', '報告結束日期'],
    amount: ['花費金額', '支出金額'],
    currency: ['貨幣', '幣別'],
  },
};

/** Columns of counts, as far as their names are known; files may name them in any other language with a mapping. */
const COUNT_HEADINGS: Readonly<Record<string, Readonly<Partial<Record<MetaCount, readonly string[]>>>>> = {
  English: { link_clicks: ['Link clicks'], conversations_started: ['Messaging conversations started'] },
  API: {
    link_clicks: ['inline_link_clicks', ...actionNames('link_click')],
    conversations_started: actionNames('onsite_conversion.messaging_conversation_started_7d'),
    depth_2: actionNames('onsite_conversion.messaging_user_depth_2_message_send'),
    depth_3: actionNames('onsite_conversion.messaging_user_depth_3_message_send'),
    depth_5: actionNames('onsite_conversion.messaging_user_depth_5_message_send'),
  },
  Portuguese: {
    link_clicks: ['Cliques no link'],
    conversations_started: ['Conversas por mensagem iniciadas', 'Conversas por mensagens iniciadas'],
  },
  Spanish: {
    link_clicks: ['Clics en el enlace'],
    conversations_started: ['Conversaciones con mensajes iniciadas'],
  },
  German: { link_clicks: ['Link-Klicks'], conversations_started: ['Gestartete Messaging-Unterhaltungen'] },
  French: { link_clicks: ['Clics sur un lien'] },
  Italian: { link_clicks: ['Clic sul link'] },
  Indonesian: { link_clicks: ['Klik tautan'] },
  Japanese: { link_clicks: ['リンクのクリック'] },
  Korean: { link_clicks: ['링크 클릭'] },
};

/** An action of the Insights API, as tools that write its answers to a file name its column. */
function actionNames(action: string): string[] {
  return [action, `actions:${action}`, action.replace('onsite_conversion.', '')];
}

type Names = ReadonlyMap<string, SpendColumn>;

const isCount = (column: SpendColumn): column is MetaCount => META_COUNTS.some((count) => count === column);

const LANGUAGES: readonly Names[] = Object.entries(HEADINGS).map(
  ([language, names]) =>
    new Map(
      SPEND_COLUMNS.flatMap((column) =>
        ((isCount(column) ? COUNT_HEADINGS[language]?.[column] : names[column]) ?? []).map(
          (name) => [plain(name), column] as const,
        ),
      ),
    ),
);
/** Exports in any language may have columns that are not translated. */
const ALWAYS = LANGUAGES.slice(0, 2);

/** A heading and the currency after it: `Amount spent (BRL)`, `消化金額（JPY）`. */
export function splitHeading(cell: string): { readonly name: string; readonly inside: string | null } {
  const [, name, inside] = /^\s*(.*?)\s*\(\s*([^()]{1,20}?)\s*\)\s*$/su.exec(cell.normalize('NFKC')) ?? [];
  return name === undefined || inside === undefined ? { name: cell, inside: null } : { name, inside };
}

function columnIn(cell: string, languages: readonly Names[]): SpendColumn | null {
  const named = (text: string): SpendColumn | null =>
    languages.map((names) => names.get(plain(text))).find((column) => column !== undefined) ?? null;
  const { name, inside } = splitHeading(cell);
  // Only an amount has brackets after its name.
  const column = named(name);
  return inside === null || column === 'amount' ? column : named(cell);
}

/**
 * Recognises the columns of a header by the names of the language in which it has the id of an ad: a short word of one
 * language may mean something else in another one. If it has none, the names of all languages are used.
 */
export function columnNames(cells: readonly string[]): (cell: string) => SpendColumn | null {
  const spoken = LANGUAGES.filter((names) => cells.some((cell) => columnIn(cell, [names]) === 'ad_id'));
  const languages = spoken.length === 0 ? LANGUAGES : [...new Set([...spoken, ...ALWAYS])];
  return (cell) => columnIn(cell, languages);
}

/** The word for "all" that replaces a value in a row of sums, in the same languages. */
const ALL: ReadonlySet<string> = new Set(
  [
    ['All', 'All (default)', 'Total'],
    ['Todos', 'Todas', 'Todo', 'Toda', 'Tudo'],
    ['Alle', 'Gesamt'],
    ['Tous', 'Toutes', 'Tout', 'Toute'],
    ['Tutti', 'Tutte', 'Tutto', 'Totale'],
    ['Semua', 'Seluruh'],
    ['すべて', '全て', '総計', '合計'],
    ['전체', '모두', '합계', '총계'],
    ['全部', '所有', '总计', '合计', '總計', '合計'],
  ].flatMap((words) => words.map(plain)),
);

/** Whether a cell says that its row is a sum over all values of the column. */
export function isAll(cell: string): boolean {
  return ALL.has(plain(cell));
}
