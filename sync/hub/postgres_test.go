package hub

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
)

// TestOnPostgreSQL runs what the tests of this package say about SQLite once more
// on the PostgreSQL that TILLPRINT_TEST_POSTGRES names, each in a schema of its own.
func TestOnPostgreSQL(t *testing.T) {
	address := os.Getenv("TILLPRINT_TEST_POSTGRES")
	if address == "" {
		t.Skip("TILLPRINT_TEST_POSTGRES names no PostgreSQL, as in \"host=/run/postgresql user=me dbname=test\"")
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer func() { postgres = "" }()
	for i, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"what it must hold", TestATerminalGetsWhatItMustHold},
		{"news from elsewhere", TestAChangeElsewhereWakesWhoWaits},
		{"statements", TestEveryStatementIsAnEntryAtOnce},
		{"nothing changed", TestNothingChangedIsNoEntry},
		{"dates", TestDatesAreReachedWithoutAStatement},
		{"snapshot", TestASnapshotLeavesOutWhatIsSuperseded},
		{"join code", TestAJoinCodeWorksOnce},
		{"templates", TestTemplatesGoToTheOtherTerminalAndAWithdrawalStopsThem},
		{"receipts", TestAReceiptIsTakenOnlyIfItVerifies},
		{"refusal", TestARefusalAtTheTillIsAStatement},
		{"sites", TestASecondSiteSeesNothingOfTheFirst},
		{"restart", TestARestartKeepsEverything},
		{"school", TestASchoolIsAddedInOneTransaction},
		{"importers", TestImportersRefuseWhatIsNoConsent},
		{"commissioning", TestN1StepsNeedTheirReferences},
		{"updates", TestRollout},
		{"waves of updates", TestAWaveIsProvenBySomebody},
		{"pages", TestTheOfficesPages},
		{"API", TestTheOfficesAPI},
		{"erasures that wait", TestTheOfficeIsAskedOnEveryPage},
		{"their time", TestH1WhatWaitsIsErasedOnItsDay},
		{"a switch", TestA16TheSwitchCanBeTakenBack},
		{"a silent list", TestA5ASilentListPauses},
		{"unused fingers", TestD3UnusedFingersGo},
		{"certificates", TestADecommissionedTerminalTellsTheHub},
		{"certificates of the tills", TestCertificatesOfTheTills},
		{"inventories", TestWhatAStolenTerminalHeld},
	} {
		schema := fmt.Sprintf("hub_test_%d", i)
		if _, err := db.Exec(`DROP SCHEMA IF EXISTS ` + schema + ` CASCADE; CREATE SCHEMA ` + schema); err != nil {
			t.Fatal(err)
		}
		postgres = address + " search_path=" + schema
		t.Run(test.name, test.run)
	}
}
