package rules

import (
	"iter"
	"strings"
)

// The plugin's hooks that leave no row of their own (plugin/HOOKS.md, E.2 to E.4). None of these lists changes.

// relayHooks are their names as the plugin spells them.
func relayHooks() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range strings.FieldsSeq(fixedHooks) {
			if !yield("on" + name) {
				return
			}
		}
		for class := range hookTables {
			for _, before := range []string{"onBeforeSave", "onBeforeDelete", "onBeforePublish"} {
				if !yield(before + class) {
					return
				}
			}
		}
		for _, f := range hookFamilies {
			for part := range strings.FieldsSeq(f.parts) {
				if !yield("on" + strings.Replace(f.name, "*", part, 1)) {
					return
				}
			}
		}
	}
}

// hookFamilies are hooks whose names differ in one part, which stands for the star.
var hookFamilies = []struct{ name, parts string }{
	{"BeforeSendMailSubject*", mailHooks + " Usernote"}, {"BeforeSendMailContent*", mailHooks + " Usernote"}, {"BeforeSendMailAttachment*", mailHooks},
	{"Load*OrderDetails", orderHooks}, {"Setup*OrderDetails", orderHooks}, {"Translate*OrderDetails", orderHooks},
	{"Build*Query", listHooks}, {"Build*Data", listHooks},
	{"AfterSaveConfig*", configHooks}, {"BeforeSaveConfig*", configHooks},
}

const (
	mailHooks   = "Admin Customer Employee Cancellation Package Packadmin Waitlist"
	orderHooks  = "Appointments Packages CustomerSubscription EmployeeSubscription"
	listHooks   = "AllOrders PackagesOrders SubscriptionOrders EmployeesList EmployeeSearch ServicesList ServiceSearch ServiceSearchEmployees PackagesList"
	configHooks = "App ClosingDays Cron emp SmsApi"
)

// fixedHooks are the others, without the "on" that they begin with.
const fixedHooks = `
AddItemCart RemoveItemCart EmptyCart AddOptionCart RemoveOptionCart AddPackageItemCart RemovePackageItemCart EmptyPackagesCart
PrepareCartItemDetails BeforeApplyCartDiscount AfterApplyCartDiscount BeforeActivateCoupon
InitSaveOrder PrepareFieldsSaveOrder SwitchPaymentSaveOrder BeforeCalculateTotalSaveOrder FetchStatusSaveOrder BeforeOptionSaveOrder
BeforeSaveOrder AfterSaveOrder RedirectOrder
InitSavePackagesOrder PrepareFieldsSavePackagesOrder SwitchPaymentSavePackagesOrder BeforeCalculateTotalSavePackagesOrder
FetchStatusSavePackagesOrder RedirectPackagesOrder CountRemainingPackages CheckServicePackageAvailability ValidateMandatoryPackageCompliance
InitSaveSubscriptionOrder PrepareFieldsSaveSubscriptionOrder PrepareFieldsSaveEmployeeSubscriptionOrder FetchStatusSaveSubscriptionOrder
RedirectSubscriptionOrder BeforeValidateCustomerSubscription AfterValidateCustomerSubscription
ReceivePaymentNotification InitPaymentTransaction StartPaymentTransaction ValidatePaymentTransaction RefundPaymentTransaction
CompletePaymentTransaction SuccessPaymentTransaction FailPaymentTransaction LoadSupportedPaymentMethods LoadPaymentMethodConfigurationForm
FetchAvailablePaymentMethods ManipulateAvailablePaymentMethods
BeforeSendMailEmployeeRegistration BeforeQuickContactSend BeforeQuickContactServiceSend BeforeSendAdminSmsNotification
BeforeSendCustomerSmsNotification BeforeSendEmployeeSmsNotification PopulateSmsPlaceholders FetchCompatibleMailTexts
CreateAvailabilitySearch CheckServiceVisibility CheckEmployeeVisibility FetchServiceAvailableEmployees
QueryServiceAvailableEmployees CalculateAdvanceTime CreateTimelineParser CreateTimelineRenderer BeforeBuildTimeline AfterBuildTimeline
BeforeFetchCalendarData AfterFetchCalendarData DisplayCalendarRect CountTimesTableColumns ValidateZipCode LocationGetInfo
CheckAppointmentCancellation CheckAppointmentSelfConfirmation ValidateLeaveReview ChooseDisplayServicePrice OverrideEmployeesAreaSetting
ToggleUserProfileFields CheckFileAllowed CheckPathAllowed BeforeSaveMediaFile BeforeSaveFile BeforeDeleteMediaFile BeforeRenameMediaFile
AfterSaveMediaFile AfterDeleteMediaFile AfterRenameMediaFile AfterSaveFile BeforeSaveEmployeeSettings AfterSaveEmployeeSettings
BeforeCancelOrder AfterSaveConfig BeforeSaveConfig LoadCustomerDetails SetupCustomerDetails BuildServiceSearchOptionsQuery
LoadCustomField LoadCustomFieldsTypes LoadCustomFieldsRules DispatchCustomFieldRule RenderCustomFieldRule BeforeQueryCustomFields
BeforeRegisterCustomFields AutoPopulateCustomFields BeforeAutoPopulateCustomFields
BeforeUseTax BeforeQueryTax CalculateTax LoadTaxOperators BeforeParseConversionSnippet LoadSupportedConversionPages LoadSupportedConversionTypes
BuildHeadCSV BuildRowCSV AfterBuildRowsCSV BeforeListQueryExportCSV BeforeListQueryExportICS AfterListQueryExportCSV BuildHeadExportICS
BuildBodyExportICS BeforeBuildEventICS AfterBuildEventICS FetchSupportedExportDrivers FetchExportDriverClassname FetchExportDriverFormXML
FetchExportIncludePaths FetchImportIncludePaths FetchImportObjectClassname LoadImportExportColumns
DisplayOrderSummary DisplayOrderDetails DisplayOrderServiceSummary DisplayAttendeeDetails DisplayUserRegistrationForm
DisplayMailingSubscriptionInput DisplayVikAppointmentsPluginView DispatchVikAppointmentsPluginAction BeforeBuildVikAppointmentsMenu
BeforeDefineVikAppointmentsMenuType SetupEmployeesAreaMainMenu SetupEmployeesAreaSidebarMenu BuildOpenGraph BeforeAddMicrodata RenderMedia
DetectMediaType InitApplicationFramework FetchSupportedStatisticsWidgets FetchStatisticsWidgetClassname UpdaterSupported CheckVersion
GetVersionContents DoUpdate
BeforeImportBackupVikAppointments AfterImportBackupVikAppointments ExecuteImportBackupRuleVikAppointments BuildBackupVikAppointments
CreateBackupManifestVikAppointments BeforeBackupDumpSqlVikAppointments LoadBackupExportTypesVikAppointments
SetupVikAppointmentsWizard AfterSetupVikAppointmentsWizard GenerateSerialCode
BeforeStore AfterStore BeforeDelete AfterDelete
`

// Of these the names in WordPress, without the prefix, are hot: they and what begins with a prefix below is called many times a page.
var (
	hotHooks = []string{
		"before_store", "after_store", "before_delete", "after_delete", // of the framework: for each object
		"count_times_table_columns", "calculate_tax", "choose_display_service_price", "load_custom_field", "render_custom_field_rule",
	}
	hotPrefixes = []string{"before_list_query", "after_list_query", "before_query_", "query_", "display_"}
)

// nativeHooks begin the names of hooks of the plugin that only WordPress has: its own webhooks cannot have them.
var nativeHooks = []string{
	"payment_before_", "payment_after_", "payment_on_after_validation", "sms_driver_before_", "sms_driver_after_", "load_payment_gateway_",
	"get_supported_payments_", "load_sms_driver_", "vik_widget_before_dispatch_site", "vik_widget_after_dispatch_site",
	"vikappointments_before_dispatch", "vikappointments_after_dispatch", "vikappointments_before_display_", "vikappointments_after_display_",
	"vikappointments_license_before_post",
}
