package rules

import (
	"slices"
	"strings"
	"testing"
)

// TestHookNames: every hook that leaves a row is read in every spelling, and says which it is.
func TestHookNames(t *testing.T) {
	t.Parallel()
	if len(hookTables) != 72 { // of 73 classes; webhook's are never offered
		t.Errorf("%d classes", len(hookTables))
	}
	for _, want := range slices.Concat(Actions(), hookActions()) {
		name := want.Hook()
		for _, spelt := range []string{name, wordPressPrefix + wordPressHook(name), wordPressHook(name)} {
			got, err := ParseAction(spelt)
			documented := slices.ContainsFunc(Actions(), func(a Action) bool { return a.Hook() == name })
			if err != nil || got.Hook() != name || got.Kind != want.Kind || got.Entity.Hooks == documented {
				t.Errorf("%s: got %v, %v; want %s", spelt, got, err, name)
			}
		}
		if want.Entity.Hooks && !IsEntity(want.Entity.Name) {
			t.Errorf("stored events could not name %s", want.Entity.Name)
		}
	}
}

func TestHookSpelling(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{ // plugin/HOOKS.md, E.1
		"onAddItemCart":                         "add_item_cart",
		"onDispatchVikAppointmentsPluginAction": "dispatch_plugin_action",
		"onBuildHeadCSV":                        "build_head_csv",
		"onAfterSaveConfigApp":                  "after_save_config_app",
		"onAfterImportBackupVikAppointments":    "after_import_backup",
	} {
		if got := wordPressHook(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestHookNamesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"onAfterSaveOptoin":                   "did you mean onAfterSaveOption",
		"vikappointments_after_save_packordr": "did you mean vikappointments_after_save_packorder",
		"onAfterSaveWebhook":                  "it is about webhooks themselves",
		"vikappointments_after_save_web_hook": "it is about webhooks themselves",
		"onAddItmCart":                        "did you mean onAddItemCart",
		"onAfterAddItemCart":                  "did you mean onAddItemCart",
		"vikappointments_add_itm_cart":        "did you mean vikappointments_add_item_cart",
		"onBeforeSaveOptoin":                  "did you mean onBeforeSaveOption",
		"vikappointments_add'); //":           "cannot be the name of a hook",
		"option.save":                         "is no action; write one of appointment.save",
		"on":                                  "is no action",
		strings.Repeat("onAfterSave", 10_000): "cannot be the name of a hook",
	} {
		if got, err := ParseAction(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50s: got %v, %v; want %s", name, got, err, want)
		}
	}
}
