package rules

import "testing"

// TestRelayNames: every hook that leaves no row is read in every spelling, none of them leaves one, and all can be stored.
func TestRelayNames(t *testing.T) {
	t.Parallel()
	n := 0
	for hook := range relayHooks() {
		n++
		for _, spelt := range []string{hook, wordPressPrefix + wordPressHook(hook), wordPressHook(hook)} {
			a, err := ParseAction(spelt)
			if err != nil || a.Hook() != hook || a.Kind != Fired || !a.IsKnown() {
				t.Errorf("%s: got %v, %v; want %s", spelt, a, err, hook)
				continue
			}
			if is := EntityOf(a.Entity.Name); is == nil || !is.Is(a.Entity) || *is.Only != *a.Entity.Only || is.Hook != hook {
				t.Errorf("stored events could not name %s", a.Entity.Name)
			}
		}
	}
	if least := 3*len(hookTables) + 150; n < least {
		t.Errorf("%d hooks, want %d at least", n, least)
	}
}

func TestHotHooks(t *testing.T) {
	t.Parallel()
	for name, hot := range map[string]bool{
		"onBeforeListQueryServices": true, "onDisplayViewServicesList": true, "onDisplayServicesTableTD": true, "onDisplayCalendarRect": true,
		"onBuildServicesListQuery": true, "onBuildServicesListData": true, "onBeforeStore": true, "onAfterStore": true, "onBeforeDelete": true,
		"onAfterDelete": true, "after_store": true, "vikappointments_before_list_query_services": true, "onQueryServiceAvailableEmployees": true,
		"onAddItemCart": false, "onBeforeSaveOption": false, "onBeforeSendMailContentCustomer": false, "onAfterSaveOption": false, "onBuildHeadCSV": false,
	} {
		a, err := parseHook(name, true)
		if err != nil || a.IsHot() != hot {
			t.Errorf("%s: hot is %t, %v", name, a.IsHot(), err)
		}
	}
}
