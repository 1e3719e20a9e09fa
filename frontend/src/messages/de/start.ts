/** Words of the first steps in German. */

import type { Words } from "../index";

export const words: Words<"start"> = {
  "nav.start": "Erste Schritte",

  "start.step": "Schritt {n} von {all}",
  "start.place": "Worum geht es?",
  "start.placetext": "Der Ort, dessen Energie Sie sehen wollen. Weitere gehen später.",
  "start.name": "Name des Ortes",
  "start.namevalue": "Mein Zuhause",
  "start.zone": "Zeitzone",
  "start.next": "Weiter",
  "start.back": "Zurück",
  "start.how": "Wie kommen die Werte?",
  "start.howtext": "Wählen Sie, was Sie haben; das bestimmt nur, was als Nächstes gezeigt wird.",
  "start.emoncms": "EmonCMS-Sender: emonHub, emonTx, emonESP",
  "start.influx": "InfluxDB-Sender: Telegraf, Home Assistant",
  "start.line": "Etwas Eigenes: ein Skript, ein Test",
  "start.key": "Ihr Schreibschlüssel",
  "start.once": "Er wird nur dieses eine Mal gezeigt. Tragen Sie ihn zusammen mit dieser Adresse im Sender ein.",
  "start.nokey": "Sie dürfen selbst keinen Schlüssel machen. Bitten Sie den, der diesen Ort eingerichtet hat, um den Schreibschlüssel, und tragen Sie ihn zusammen mit dieser Adresse beim Sender ein.",
  "start.address": "Adresse des Servers",
  "start.trial": "Oder fügen Sie diese Zeile in ein Terminal ein:",
  "start.waiting": "Warten auf den ersten Wert …",
  "start.first": "Der erste Wert ist da",
  "start.finish": "Zu Zuhause",
  "start.later": "Später",
};
