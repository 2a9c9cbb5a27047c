// Package samples holds what senders send, reduced to the members that routes usually read,
// for `expressway sign --sample` and the console.
package samples

const form = "application/x-www-form-urlencoded"

// A Sample is the body of a delivery before it is signed.
type Sample struct {
	Body string
	// ContentType is mostly application/json.
	ContentType string
	// Event is the event's name, for senders that have it in a header.
	Event string
}

// Of returns the sample of a provider; ok is false if the provider has none of its own.
func Of(provider string) (s Sample, ok bool) {
	s, ok = bodies[provider]
	if ok && s.ContentType == "" {
		s.ContentType = "application/json"
	}
	return s, ok
}

// standardOrder is what a sender of Standard Webhooks may send.
const standardOrder = `{"type":"order.created","timestamp":"2026-01-01T00:00:00Z","data":{"id":"ord_1","total_amount":2990,"currency":"eur"}}`

var bodies = map[string]Sample{
	"adyen":             {Body: `{"live":"false","notificationItems":[{"NotificationRequestItem":{"pspReference":"7914073381342284","merchantAccountCode":"YourMerchant","merchantReference":"o-1","eventCode":"AUTHORISATION","success":"true","amount":{"value":2990,"currency":"EUR"},"eventDate":"2026-01-01T00:00:00+00:00"}}]}`},
	"airtable":          {Body: `{"base":{"id":"app00000000000000"},"webhook":{"id":"ach00000000000000"},"timestamp":"2026-01-01T00:00:00.000Z"}`},
	"airwallex":         {Body: `{"id":"evt_1","name":"payment_intent.succeeded","account_id":"acct_1","data":{"object":{"id":"int_1","amount":29.9,"currency":"EUR"}},"created_at":"2026-01-01T00:00:00+0000"}`},
	"apple":             {Body: `{"notificationType":"DID_RENEW","notificationUUID":"002e14d5-51f5-4503-b5a8-c3a1af68eb20","version":"2.0","data":{"bundleId":"com.example.app","environment":"Sandbox"}}`},
	"asana":             {Body: `{"events":[{"user":{"gid":"12345","resource_type":"user"},"created_at":"2026-01-01T00:00:00.000Z","action":"added","resource":{"gid":"1337","resource_type":"task"},"parent":{"gid":"1338","resource_type":"project"}}]}`},
	"auth0":             {Body: `[{"log_id":"90020260101","data":{"type":"s","date":"2026-01-01T00:00:00.000Z","client_id":"c","user_id":"auth0|1"}}]`},
	"azure-devops":      {Body: `{"subscriptionId":"00000000-0000-0000-0000-000000000000","notificationId":1,"id":"4a5d99d6-1c75-4e53-91b9-ee80057d4ce3","eventType":"build.complete","publisherId":"tfs","resource":{"id":2,"buildNumber":"20260101.1","result":"succeeded"},"createdDate":"2026-01-01T00:00:00Z"}`},
	"azure-event-grid":  {Body: `[{"id":"9aeb0fdf-c01e-0131-0922-9eb54906e209","topic":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a","subject":"/blobServices/default/containers/c/blobs/b","eventType":"Microsoft.Storage.BlobCreated","eventTime":"2026-01-01T00:00:00Z","data":{"api":"PutBlob","url":"https://a.blob.core.windows.net/c/b"},"dataVersion":"","metadataVersion":"1"}]`},
	"bigcommerce":       {Body: `{"scope":"store/order/created","store_id":"1000000","data":{"type":"order","id":250},"hash":"dd70c0976e06b67aaf671e73f49dcb79230ebf9d","created_at":1767225600,"producer":"stores/abcde"}`},
	"bitbucket":         {Event: "repo:push", Body: `{"push":{"changes":[{"new":{"type":"branch","name":"main","target":{"hash":"709d658dc5b6d6afcd46049c2f332ee3f515a67d"}}}]},"repository":{"full_name":"team/repo"},"actor":{"nickname":"ann"}}`},
	"box":               {Body: `{"type":"webhook_event","id":"0f4b1b54-1e3d-4b3e-8e0a-1b0f1e0f0a0b","created_at":"2026-01-01T00:00:00-08:00","trigger":"FILE.UPLOADED","webhook":{"id":"53","type":"webhook"},"source":{"id":"73835521473","type":"file","name":"a.pdf"}}`},
	"braintree":         {ContentType: "application/xml", Body: `<notification><timestamp type="datetime">2026-01-01T00:00:00Z</timestamp><kind>check</kind><subject><check type="boolean">true</check></subject></notification>`},
	"cal-com":           {Body: `{"triggerEvent":"BOOKING_CREATED","createdAt":"2026-01-01T00:00:00.000Z","payload":{"type":"60min","title":"60 min","uid":"bFJeNb2uX8ANpT3JL5EfXw","startTime":"2026-01-02T10:00:00Z","attendees":[{"email":"ann@example.com"}]}}`},
	"calendly":          {Body: `{"event":"invitee.created","created_at":"2026-01-01T00:00:00.000000Z","created_by":"https://api.calendly.com/users/AAAA","payload":{"email":"ann@example.com","name":"Ann","status":"active"}}`},
	"chargebee":         {Body: `{"id":"ev_1","occurred_at":1767225600,"source":"admin_console","object":"event","api_version":"v2","event_type":"subscription_created","content":{"subscription":{"id":"sub_1","status":"active"}}}`},
	"checkout-com":      {Body: `{"id":"evt_1","source":"gateway","type":"payment_approved","version":"2.0.0","created_on":"2026-01-01T00:00:00Z","data":{"id":"pay_1","amount":2990,"currency":"EUR","reference":"o-1"}}`},
	"circleci":          {Body: `{"id":"3888f21b-eaa7-38e3-8f3d-75a63bba8895","type":"workflow-completed","happened_at":"2026-01-01T00:00:00Z","workflow":{"id":"fda08377-fe7e-46b1-8992-3a7aaecac9c3","name":"build","status":"success"},"project":{"slug":"github/org/repo"}}`},
	"clerk":             {Body: `{"data":{"id":"user_1","object":"user","email_addresses":[{"email_address":"ann@example.com"}]},"object":"event","type":"user.created","timestamp":1767225600000}`},
	"clickup":           {Body: `{"event":"taskCreated","webhook_id":"7689a169-a000-4985-8676-6902b96d6627","task_id":"c0j","history_items":[{"id":"2800763136717140857","field":"status"}]}`},
	"coinbase":          {Body: `{"id":1,"scheduled_for":"2026-01-01T00:00:00Z","attempt_number":1,"event":{"id":"24934862-d980-46cb-9402-43c81b0cdba6","resource":"event","type":"charge:confirmed","api_version":"2018-03-22","data":{"code":"66BEOV2A","name":"Tea"}}}`},
	"confluence":        {Body: `{"event":"page_created","timestamp":1767225600000,"page":{"id":16777227,"spaceKey":"ALL","title":"A page"}}`},
	"contentful":        {Event: "ContentManagement.Entry.publish", Body: `{"sys":{"id":"5KsDBWseXY6QegucYAoacS","type":"Entry","contentType":{"sys":{"id":"post"}},"space":{"sys":{"id":"s"}}},"fields":{"title":{"en-US":"Hello"}}}`},
	"customer-io":       {Body: `{"event_id":"01E4C4CT6YDC7Y5M7FE1GWWPQJ","object_type":"email","metric":"opened","timestamp":1767225600,"data":{"customer_id":"42","email_address":"ann@example.com","delivery_id":"RPILAgUBcRhIBqSfeiIwdIYJKxTY"}}`},
	"discord":           {Body: `{"id":"1","application_id":"2","type":2,"token":"t","version":1,"channel_id":"3","data":{"id":"4","name":"hello","type":1},"member":{"user":{"id":"5","username":"ann"}}}`},
	"docusign":          {Body: `{"event":"envelope-completed","apiVersion":"v2.1","uri":"/restapi/v2.1/accounts/a/envelopes/e","retryCount":0,"configurationId":1,"generatedDateTime":"2026-01-01T00:00:00Z","data":{"accountId":"a","envelopeId":"e"}}`},
	"dropbox":           {Body: `{"list_folder":{"accounts":["dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"]},"delta":{"users":[12345678]}}`},
	"dwolla":            {Body: `{"id":"cac95329-9fa5-42f1-a4fc-c08af7b868fb","resourceId":"cdb5f779-62df-e611-80f2-0aa34a9b2388","topic":"transfer_completed","timestamp":"2026-01-01T00:00:00.000Z","_links":{}}`},
	"easypost":          {Body: `{"id":"evt_1","object":"Event","mode":"test","description":"tracker.updated","result":{"id":"trk_1","object":"Tracker","tracking_code":"EZ1000000001","status":"in_transit","weight":17.6},"pending_urls":[],"completed_urls":[]}`},
	"ebay":              {Body: `{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411","eventDate":"2026-01-01T00:00:00.000Z","publishDate":"2026-01-01T00:00:00.000Z","publishAttemptCount":1,"data":{"username":"ann","userId":"ma8vp1jySJC","eiasToken":"e"}}}`},
	"elevenlabs":        {Body: `{"type":"post_call_transcription","event_timestamp":1767225600,"data":{"agent_id":"a","conversation_id":"c","status":"done","transcript":[{"role":"agent","message":"Hello"}]}}`},
	"feishu":            {Body: `{"schema":"2.0","header":{"event_id":"5e3702a84e847582be8db7fb73283c02","event_type":"im.message.receive_v1","create_time":"1767225600000","app_id":"cli_1","tenant_key":"t"},"event":{"sender":{"sender_id":{"open_id":"ou_1"}},"message":{"message_id":"om_1","chat_type":"p2p","content":"{\"text\":\"Hello\"}"}}}`},
	"figma":             {Body: `{"event_type":"FILE_UPDATE","file_key":"abc","file_name":"A file","passcode":"","timestamp":"2026-01-01T00:00:00Z","webhook_id":"22"}`},
	"flutterwave":       {Body: `{"webhook_id":"wbk_1","timestamp":1767225600000,"type":"charge.completed","data":{"id":"chg_1","amount":2990,"currency":"NGN","status":"succeeded","reference":"o-1"}}`},
	"flutterwave-v3":    {Body: `{"event":"charge.completed","data":{"id":285959875,"tx_ref":"o-1","amount":2990,"currency":"NGN","status":"successful"}}`},
	"gitea":             {Event: "push", Body: `{"ref":"refs/heads/main","before":"28e1879d029cb852e4844d9c718537df08844e03","after":"bffeb74224043ba2feb48d137756c8a9331c449a","repository":{"full_name":"gitea/webhooks"},"pusher":{"login":"ann"},"commits":[{"id":"bffeb742","message":"A change"}]}`},
	"github":            {Event: "push", Body: `{"ref":"refs/heads/main","after":"4d2ab4e76d0d405d17d1a0f2b8a6071394e3ab40","repository":{"full_name":"octo-org/octo-repo"},"pusher":{"name":"octocat"},"commits":[{"id":"4d2ab4e7","message":"A change","added":["README.md"],"removed":[],"modified":[]}]}`},
	"gitlab":            {Event: "Push Hook", Body: `{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"group/project"},"commits":[{"id":"b6568db1","message":"A change"}]}`},
	"gocardless":        {Body: `{"events":[{"id":"EV123","created_at":"2026-01-01T00:00:00.000Z","resource_type":"payments","action":"confirmed","links":{"payment":"PM123"}}],"meta":{"webhook_id":"WB123"}}`},
	"google-pubsub":     {Body: `{"message":{"data":"SGVsbG8=","messageId":"136969346945","attributes":{"kind":"sample"},"publishTime":"2026-01-01T00:00:00.000Z"},"subscription":"projects/p/subscriptions/s"}`},
	"google-workspace":  {Event: "change", Body: `{}`},
	"hubspot":           {Body: `[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1767225600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM"}]`},
	"instagram":         {Body: `{"object":"instagram","entry":[{"id":"17841400000000000","time":1767225600,"changes":[{"field":"comments","value":{"id":"17865799348089039","text":"Nice"}}]}]}`},
	"intercom":          {Body: `{"type":"notification_event","id":"notif_1","app_id":"a","topic":"conversation.user.created","delivery_attempts":1,"created_at":1767225600,"data":{"type":"notification_event_data","item":{"type":"conversation","id":"1"}}}`},
	"jira":              {Body: `{"timestamp":1767225600000,"webhookEvent":"jira:issue_updated","issue_event_type_name":"issue_generic","issue":{"id":"10002","key":"ED-1","fields":{"summary":"A summary"}}}`},
	"kick":              {Event: "chat.message.sent", Body: `{"message_id":"m-1","broadcaster":{"user_id":1,"username":"b"},"sender":{"user_id":2,"username":"s"},"content":"Hello"}`},
	"klaviyo":           {Body: `{"data":[{"topic":"event:klaviyo.opened_email","payload":{"data":{"type":"event","id":"e"}}}],"meta":{"klaviyo_webhook_id":"w","timestamp":"2026-01-01T00:00:00Z"}}`},
	"ko-fi":             {ContentType: form, Body: `data=%7B%22message_id%22%3A%222e4a1c4e%22%2C%22timestamp%22%3A%222026-01-01T00%3A00%3A00Z%22%2C%22type%22%3A%22Donation%22%2C%22from_name%22%3A%22Ann%22%2C%22amount%22%3A%223.00%22%2C%22currency%22%3A%22EUR%22%7D`},
	"lemonsqueezy":      {Body: `{"meta":{"event_name":"order_created","custom_data":{"user_id":"1"}},"data":{"type":"orders","id":"1","attributes":{"status":"paid","total":2990,"currency":"EUR"}}}`},
	"line":              {Body: `{"destination":"U0","events":[{"type":"message","message":{"type":"text","id":"1","text":"Hello"},"webhookEventId":"01FZ74A0TDDPYRVKNK77XKC3ZR","timestamp":1767225600000,"source":{"type":"user","userId":"U1"},"replyToken":"r","mode":"active"}]}`},
	"linear":            {Body: `{"action":"create","type":"Issue","createdAt":"2026-01-01T00:00:00.000Z","data":{"id":"2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9","title":"An issue","team":{"key":"ENG"}},"organizationId":"o","webhookTimestamp":1767225600000}`},
	"linkedin":          {Body: `{"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS","notifications":[{"notificationId":1233,"organizationalEntity":"urn:li:organization:2414183","action":"COMMENT"}]}`},
	"livekit":           {Body: `{"event":"room_started","id":"EV_1","createdAt":"1767225600","room":{"sid":"RM_1","name":"room"}}`},
	"mailgun":           {Body: `{"event-data":{"id":"CPgfbmQMTCKtHW6uIWtuVe","event":"delivered","timestamp":1767225600.5,"recipient":"ann@example.com","message":{"headers":{"message-id":"m@example.com"}}}}`},
	"mandrill":          {ContentType: form, Body: `mandrill_events=%5B%7B%22event%22%3A%22send%22%2C%22_id%22%3A%22exampleaaaaaaaaaaaaaaaaaaaaaaaaa%22%2C%22msg%22%3A%7B%22ts%22%3A1767225600%2C%22subject%22%3A%22Hello%22%2C%22email%22%3A%22ann%40example.com%22%7D%7D%5D`},
	"mercadopago":       {Body: `{"id":12345,"live_mode":false,"type":"payment","action":"payment.created","date_created":"2026-01-01T00:00:00Z","user_id":44444,"api_version":"v1","data":{"id":"999999999"}}`},
	"messagebird":       {Body: `{"id":"e8077d803532c0b5937c639b60216938","recipient":31612345678,"status":"delivered","statusDatetime":"2026-01-01T00:00:00Z"}`},
	"meta":              {Body: `{"object":"page","entry":[{"id":"0","time":1767225600,"changes":[{"field":"feed","value":{"item":"post","verb":"add","post_id":"0_1"}}]}]}`},
	"microsoft-graph":   {Body: `{"value":[{"id":"lsgTZMr9KwAAA","subscriptionId":"7f105c7d-2dc5-4530-97cd-4e7ae6534c07","clientState":"","changeType":"created","resource":"Users/u/Messages/m"}]}`},
	"microsoft-teams":   {Body: `{"type":"message","id":"1485983408511","timestamp":"2026-01-01T00:00:00.000Z","text":"<at>Sample</at> hello","from":{"id":"29:1","name":"Ann"},"channelId":"msteams","serviceUrl":"https://smba.trafficmanager.net/emea/"}`},
	"monday":            {Body: `{"event":{"userId":9603417,"boardId":1771812698,"pulseId":1772099344,"pulseName":"An item","type":"create_pulse","triggerTime":"2026-01-01T00:00:00.000Z","triggerUuid":"b5ed2e17c530f43668de130142445cba"}}`},
	"mux":               {Body: `{"type":"video.asset.ready","id":"3a56ac3d-33da-4366-855b-f592d898409d","created_at":"2026-01-01T00:00:00.000000Z","object":{"type":"asset","id":"0201p02fGKPE7MrbC269XRD7LpcHhrmbu0002"},"environment":{"name":"Test","id":"e"},"data":{"status":"ready"}}`},
	"netlify":           {Event: "deploy_created", Body: `{"id":"5ebc34bf4fea0b01f02efa3a","site_id":"fa4dd95a-994e-4f89-8a7a-2d9e9fc36a32","state":"ready","name":"www","created_at":"2026-01-01T00:00:00.000Z"}`},
	"notion":            {Body: `{"id":"367cba44-b6f3-4c92-81e7-6a2e9659efd4","timestamp":"2026-01-01T00:00:00.000Z","workspace_id":"w","subscription_id":"s","type":"page.created","attempt_number":1,"entity":{"id":"153104cd-477e-809d-8dc4-ff2d96ae3090","type":"page"},"data":{}}`},
	"nylas":             {Body: `{"specversion":"1.0","type":"message.created","source":"/google/emails/realtime","id":"e0e95d9a","time":1767225600,"webhook_delivery_attempt":1,"data":{"application_id":"a","object":{"id":"m","subject":"Hello"}}}`},
	"okta":              {Body: `{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0","cloudEventsVersion":"0.1","source":"https://example.okta.com/api/v1/eventHooks/who1","eventId":"b5a188b9-5ece-4636-b041-482ffda96311","eventTime":"2026-01-01T00:00:00.000Z","contentType":"application/json","data":{"events":[{"uuid":"u","eventType":"user.lifecycle.create"}]}}`},
	"openai":            {Body: `{"id":"evt_1","object":"event","created_at":1767225600,"type":"response.completed","data":{"id":"resp_123"}}`},
	"paddle":            {Body: `{"event_id":"evt_01","event_type":"transaction.completed","occurred_at":"2026-01-01T00:00:00.000Z","notification_id":"ntf_01","data":{"id":"txn_01","status":"completed","currency_code":"EUR"}}`},
	"pagerduty":         {Body: `{"event":{"id":"5ac64822-4adc-4fda-ade0-410becf0de4f","event_type":"incident.triggered","resource_type":"incident","occurred_at":"2026-01-01T00:00:00Z","data":{"id":"PGR0VU2","type":"incident","title":"An incident","urgency":"high"}}}`},
	"patreon":           {Event: "members:create", Body: `{"data":{"type":"member","id":"5dc5d2d5-6d4c-4d8d-9d3a-3d8b1c7e2f10","attributes":{"email":"ann@example.com","patron_status":"active_patron"}}}`},
	"paypal":            {Body: `{"id":"WH-1","event_version":"1.0","create_time":"2026-01-01T00:00:00.000Z","resource_type":"capture","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"42311647XV020574X","status":"COMPLETED","amount":{"currency_code":"EUR","value":"29.90"}}}`},
	"paystack":          {Body: `{"event":"charge.success","data":{"id":302961,"domain":"test","status":"success","reference":"o-1","amount":2990,"currency":"NGN"}}`},
	"persona":           {Body: `{"data":{"type":"event","id":"evt_1","attributes":{"name":"inquiry.completed","created-at":"2026-01-01T00:00:00.000Z","payload":{"data":{"type":"inquiry","id":"inq_1"}}}}}`},
	"plaid":             {Body: `{"webhook_type":"TRANSACTIONS","webhook_code":"SYNC_UPDATES_AVAILABLE","item_id":"wz666MBjYWTp2PDzzggYhM6oWWmBb","initial_update_complete":true,"environment":"sandbox"}`},
	"polar":             {Body: standardOrder},
	"razorpay":          {Body: `{"entity":"event","account_id":"acc_1","event":"payment.captured","contains":["payment"],"payload":{"payment":{"entity":{"id":"pay_1","amount":2990,"currency":"INR","status":"captured"}}},"created_at":1767225600}`},
	"recurly":           {Body: `{"id":"u3vvy4l2tg","object_type":"account","site_id":"s","event_type":"updated","event_time":"2026-01-01T00:00:00Z","account_code":"A1"}`},
	"resend":            {Body: `{"type":"email.delivered","created_at":"2026-01-01T00:00:00.000Z","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618","from":"a@example.com","to":["ann@example.com"],"subject":"Hello"}}`},
	"sanity":            {Event: "update", Body: `{"_id":"5dd4dae8","_type":"post","title":"Hello"}`},
	"segment":           {Body: `{"type":"track","event":"Order Completed","messageId":"ajs-1","userId":"u-1","timestamp":"2026-01-01T00:00:00.000Z","properties":{"total":29.9}}`},
	"sendgrid":          {Body: `[{"email":"ann@example.com","timestamp":1767225600,"smtp-id":"<m@example.com>","event":"delivered","sg_event_id":"ZGVsaXZlcmVk","sg_message_id":"m.filter0001"}]`},
	"sentry":            {Event: "issue", Body: `{"action":"created","installation":{"uuid":"a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},"data":{"issue":{"id":"1170820242","title":"TypeError","project":{"slug":"p"}}},"actor":{"type":"application","id":"sentry","name":"Sentry"}}`},
	"sharepoint":        {Body: `{"value":[{"subscriptionId":"91779246-afe9-4525-b122-6c199ae89211","clientState":"","resource":"b9f6f714-9df8-470b-b22e-653855e1c181","siteUrl":"/","webId":"dbb5a806-e7ce-4ead-bb06-c0ab93b0fea6"}]}`},
	"shippo":            {Body: `{"event":"track_updated","test":true,"data":{"carrier":"shippo","tracking_number":"SHIPPO_DELIVERED","tracking_status":{"status":"DELIVERED"}}}`},
	"shopify":           {Event: "orders/create", Body: `{"id":820982911946154508,"name":"#1001","email":"jon@example.com","currency":"EUR","total_price":"29.90","line_items":[{"sku":"tea-250","quantity":1,"price":"29.90"}]}`},
	"slack":             {Body: `{"type":"event_callback","event_id":"Ev08MFMKH6","event_time":1767225600,"team_id":"T061EG9R6","event":{"type":"app_mention","user":"U061F7AUR","text":"<@U0LAN0Z89> hello","channel":"C123ABC456","ts":"1767225600.000100"}}`},
	"sns":               {Body: `{"Type":"Notification","Subject":"A subject","Message":"{\"order\":\"o-1\"}"}`},
	"square":            {Body: `{"merchant_id":"M","type":"payment.updated","event_id":"6a8f5f28-54a1-4eb0-a98a-3111513fd4fc","created_at":"2026-01-01T00:00:00Z","data":{"type":"payment","id":"p","object":{"payment":{"id":"p","status":"COMPLETED"}}}}`},
	"standard-webhooks": {Body: standardOrder},
	"stripe":            {Body: `{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","api_version":"2024-06-20","created":1767225600,"type":"checkout.session.completed","livemode":false,"data":{"object":{"id":"cs_test_a1","object":"checkout.session","amount_total":2990,"currency":"eur","payment_status":"paid","client_reference_id":"o-1"}}}`},
	"supabase":          {Body: `{"user":{"id":"8484b834-f29e-4af2-bf42-80644d154f76","phone":"+15550100"},"sms":{"otp":"561166"}}`},
	"svix":              {Body: standardOrder},
	"telegram":          {Body: `{"update_id":10000,"message":{"message_id":1365,"date":1767225600,"chat":{"id":1111111,"type":"private"},"from":{"id":1111111,"is_bot":false,"first_name":"Ann"},"text":"/start"}}`},
	"telnyx":            {Body: `{"data":{"event_type":"message.received","id":"b301ed3f-1490-491f-995f-6e64e69674d4","occurred_at":"2026-01-01T00:00:00.000Z","payload":{"text":"Hello","type":"SMS","from":{"phone_number":"+15550100"}},"record_type":"event"},"meta":{"attempt":1}}`},
	"tiktok":            {Body: `{"client_key":"k","event":"video.publish.completed","create_time":1767225600,"user_openid":"act.1","content":"{\"share_id\":\"video.1\"}"}`},
	"trello":            {Body: `{"action":{"id":"51f9424bcd6e040f3c002412","type":"updateCard","date":"2026-01-01T00:00:00.000Z","data":{"card":{"id":"c","name":"A card"},"board":{"id":"b","name":"A board"}}},"model":{"id":"b"}}`},
	"twilio":            {ContentType: form, Body: `MessageSid=SM0123456789abcdef0123456789abcdef&AccountSid=AC0123456789abcdef0123456789abcdef&From=%2B14155550100&To=%2B14155550101&Body=Hello&NumMedia=0`},
	"twitch":            {Body: `{"subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","type":"channel.follow","version":"2","status":"enabled"},"event":{"user_id":"1234","user_login":"ann","broadcaster_user_id":"1337","followed_at":"2026-01-01T00:00:00Z"}}`},
	"typeform":          {Body: `{"event_id":"LtWXD3crgy","event_type":"form_response","form_response":{"form_id":"lT4Z3j","token":"a3a12ec67a1365927098a606107fac15","submitted_at":"2026-01-01T00:00:00Z","answers":[{"type":"text","text":"Hello","field":{"id":"f","type":"short_text"}}]}}`},
	"vercel":            {Body: `{"id":"uev_1","type":"deployment.succeeded","createdAt":1767225600000,"region":null,"payload":{"team":{"id":"team_1"},"project":{"id":"prj_1"},"deployment":{"id":"dpl_1","url":"a.vercel.app"}}}`},
	"vonage":            {Body: `{"to":"447700900000","from":"447700900001","channel":"sms","message_uuid":"aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab","timestamp":"2026-01-01T00:00:00Z","message_type":"text","text":"Hello"}`},
	"webflow":           {Body: `{"triggerType":"form_submission","payload":{"name":"Contact","siteId":"65427cf400e02b306eaa049c","data":{"Email":"ann@example.com"},"submittedAt":"2026-01-01T00:00:00.000Z"}}`},
	"whatsapp":          {Body: `{"object":"whatsapp_business_account","entry":[{"id":"0","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"1"},"messages":[{"from":"15550100","id":"wamid.1","timestamp":"1767225600","type":"text","text":{"body":"Hello"}}]}}]}]}`},
	"wise":              {Body: `{"data":{"resource":{"type":"transfer","id":111,"profile_id":222},"current_state":"processing","previous_state":"incoming_payment_waiting","occurred_at":"2026-01-01T00:00:00Z"},"subscription_id":"s","event_type":"transfers#state-change","schema_version":"2.0.0","sent_at":"2026-01-01T00:00:00Z"}`},
	"woocommerce":       {Event: "order.created", Body: `{"id":727,"number":"727","status":"processing","currency":"EUR","total":"29.90","billing":{"email":"ann@example.com"},"line_items":[{"id":315,"sku":"tea-250","quantity":1}]}`},
	"workos":            {Body: `{"id":"event_01","event":"dsync.user.created","created_at":"2026-01-01T00:00:00.000Z","data":{"object":"directory_user","id":"directory_user_01"}}`},
	"x":                 {Body: `{"for_user_id":"2244994945","tweet_create_events":[{"id_str":"1","created_at":"Thu Jan 01 00:00:00 +0000 2026","text":"Hello","user":{"id_str":"2"}}]}`},
	"xero":              {Body: `{"events":[{"resourceUrl":"https://api.xero.com/api.xro/2.0/Contacts/717f2bfc-c6d4-41fd-b238-3f2f0c0cf777","resourceId":"717f2bfc-c6d4-41fd-b238-3f2f0c0cf777","eventDateUtc":"2026-01-01T00:00:00.000","eventType":"UPDATE","eventCategory":"CONTACT","tenantId":"t","tenantType":"ORGANISATION"}],"firstEventSequence":1,"lastEventSequence":1,"entropy":"S0m3r4nd0mt3xt"}`},
	"zendesk":           {Body: `{"type":"zen:event-type:ticket.created","account_id":22129848,"id":"2b24ef10-19d5-4740-93cf-5f98ec4776c0","time":"2026-01-01T00:00:00Z","zendesk_event_version":"2022-06-20","subject":"zen:ticket:12345","detail":{"id":"12345","subject":"Hello"},"event":{}}`},
	"zoom":              {Body: `{"event":"meeting.ended","event_ts":1767225600000,"payload":{"account_id":"a","object":{"id":"1234567890","uuid":"u","topic":"A meeting","duration":30}}}`},
}
