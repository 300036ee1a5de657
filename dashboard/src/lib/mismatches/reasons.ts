/** The usual reason for a pair of marks, in plain words, as the first thing to check. */
export function likelyReason(predicted: string, reported: string, circumstance: string): string {
  if (reported === 'FREE_ENTRY' && circumstance === 'answered_from_app')
    return 'The ad was answered from the WhatsApp Business app only. By the rules that opens no free entry window; Meta opened one anyway.';
  if (reported === 'FREE_ENTRY' && circumstance === 'no_entry_known')
    return 'Meta has a free entry window, but no message of the customer names an ad or post: the first message came without its ad, or a Page call-to-action was used.';
  if (predicted === 'FREE_ENTRY' && reported === 'BILLABLE')
    return 'Meta opened no free entry window, or one that ended earlier. Usually the customer wrote from a desktop or the web, which events do not say.';
  if (predicted === 'FREE_ENTRY')
    return 'Free either way: Meta assigned it to the customer service window or to another conversation instead of the free entry window.';
  if (reported === 'FREE_ENTRY')
    return 'Meta’s free entry window lasted longer than the one known here, or an answer to the ad never reached this ledger.';
  if (predicted === 'BILLABLE' && reported === 'FREE_SERVICE')
    return 'Meta saw the customer service window open: a message of the customer may be missing here.';
  if (predicted === 'FREE_SERVICE' && reported === 'BILLABLE')
    return 'Meta saw the customer service window closed, or the message as one of another category.';
  if (predicted === 'COVERED' || reported === 'COVERED')
    return 'The two disagree on which conversation the message belongs to, and which message opened it.';
  if (predicted === 'UNKNOWN') return 'No category was known when this was predicted; Meta’s report decides.';
  return 'No usual cause: look at the messages.';
}
