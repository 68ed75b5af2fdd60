/**
 * Notifications: telling people and programs of events, in order, at least once, and never at the cost of a service.
 */
export { type NotificationPorts, Notifications } from './notifications.ts';
