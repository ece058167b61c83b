/** An iCalendar event on 1 December 2026 at 9:00 UTC; `uid` is its UID and its summary. */
export function calendarEvent(uid: string): string {
  return [
    ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//latchkey//test//EN', 'BEGIN:VEVENT', `UID:${uid}`],
    ...['DTSTAMP:20261121T120000Z', 'DTSTART:20261201T090000Z', 'DTEND:20261201T100000Z', `SUMMARY:${uid}`],
    ...['END:VEVENT', 'END:VCALENDAR', ''],
  ].join('\r\n');
}
